export const id = 233;
export const ids = [233];
export const modules = {

/***/ 233:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   fileTextOf: () => (/* binding */ r)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(254);
/* harmony import */ var _yaml_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(88);
/* harmony import */ var _base_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(122);
var n=(0,_yaml_js__WEBPACK_IMPORTED_MODULE_1__.t)();function r(e,r=`web`){let a={};for(let[n,o]of Object.entries(e)){let e=(_base_js__WEBPACK_IMPORTED_MODULE_2__.l[n].key??n).replace(`*`,r).split(`.`),s=e.pop()??n,c=e.reduce((e,t)=>(e[t]??={},e[t]),a);c[s]=i(o,_base_js__WEBPACK_IMPORTED_MODULE_2__.l[n].type.schema)}return(0,n.stringify)(a)}function i(e,{type:t,items:r}){let i=e.split(`
`).filter(e=>e.trim()!==``);if(t===`array`&&r.type===`string`)return i;if(t===`object`)return Object.fromEntries(i.map(e=>[e.replace(/=.*/,``),e.replace(/^[^=]*=?/,``)]));if(t===`string`||t===void 0)return e;try{return(0,n.parse)(e)}catch{return e}}

/***/ })

};
