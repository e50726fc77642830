export const id = 273;
export const ids = [273];
export const modules = {

/***/ 273:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony import */ var _rolldown_runtime_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(254);
/* harmony import */ var _base_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(122);
async function s(){try{var t=(0,_base_js__WEBPACK_IMPORTED_MODULE_1__.F)();let s=(0,_base_js__WEBPACK_IMPORTED_MODULE_1__.i)(process.env);if(s.length===0)return;let c=t.u((0,_base_js__WEBPACK_IMPORTED_MODULE_1__.h)(process)),{context:l,token:u,apiKey:d,log:f}=(0,_base_js__WEBPACK_IMPORTED_MODULE_1__.t)(process.env),{owner:p,name:m,serverUrl:h,fullName:g,apiUrl:_}=l.repository,{openGitHub:v}=await Promise.all(/* import() */[__webpack_require__.e(346), __webpack_require__.e(376)]).then(__webpack_require__.bind(__webpack_require__, 376)).then(e=>e.t),{finishInterrupted:y}=await Promise.all(/* import() */[__webpack_require__.e(346), __webpack_require__.e(327), __webpack_require__.e(963), __webpack_require__.e(883), __webpack_require__.e(813)]).then(__webpack_require__.bind(__webpack_require__, 813)).then(e=>e.u),{createSeal:b}=await Promise.all(/* import() */[__webpack_require__.e(346), __webpack_require__.e(327), __webpack_require__.e(963), __webpack_require__.e(883), __webpack_require__.e(813)]).then(__webpack_require__.bind(__webpack_require__, 813)).then(e=>e.f),x=await y(s,{github:v({token:u?.reveal(),apiUrl:_,owner:p,repo:m,log:f,clock:_base_js__WEBPACK_IMPORTED_MODULE_1__.er,random:Math.random,signal:c.signal,callLimitMs:4e3,fetch:(0,_base_js__WEBPACK_IMPORTED_MODULE_1__.kn)(process.env)}),surroundingsOf:e=>({repositoryUrl:`${h}/${g}`,pullRequest:e,removal:s.find(t=>t.pullRequest===e)?.removal,seal:b(d,l.repository,e)}),comment:s.find(e=>e.comment)?.comment??`sticky`,now:_base_js__WEBPACK_IMPORTED_MODULE_1__.er.now()});for(let{service:e,status:t}of x)f.info(`Marked the deployment of ${e} as ${t}`)}catch(e){t.e=e}finally{t.d()}}s().catch(e=>{console.log(`::warning::The deployment could not be marked as cancelled: ${(0,_base_js__WEBPACK_IMPORTED_MODULE_1__.Vn)(e).replaceAll(/[\r\n%]+/g,` `)}`)});

/***/ })

};
